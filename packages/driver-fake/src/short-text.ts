import { type OptionRule, textLike } from '@warmvm/core/driver';

/** What a name may be. */
export const aShortText: OptionRule = textLike(/^.{1,64}$/su, 'a text of 1 to 64 characters');
