import type { OpenSubject, SubjectRequest } from '@warmvm/driver-testkit';
import { planted } from './planted.ts';

export const kitSubject = (request: SubjectRequest): Promise<OpenSubject> => planted(request, 1);
