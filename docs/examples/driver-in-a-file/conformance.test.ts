// #region conformance
import { describe, it } from 'node:test';
import { register } from '@warmvm/driver-testkit';
import { kitSubject } from './kit-subject.ts';

register({ describe, it }, kitSubject());
// #endregion
