import type { CallOptions } from '@warmvm/core/driver';
import { type KitSubject, parseSubject } from './subject.ts';

/** What a {@link SubjectFactory} is asked with. */
export interface SubjectRequest extends CallOptions {
  /** Options for people to give, such as `{ "reset": "revert" }`; what a factory does not know it should refuse. */
  readonly options: Readonly<Record<string, unknown>>;
  /** By how much a person stretches the kit's times for a slow host: stretch the driver's own time limits as much. @default 1 */
  readonly timeFactor?: number;
  /** Told what goes on before the first case, in words for people. */
  readonly say: (text: string) => void;
}

/** A subject that may hold something: where it can be disposed it is, after the last case. */
export type OpenSubject = KitSubject & Partial<AsyncDisposable>;

/** Makes one subject. Called once for each that is to run beside the others, one after the other. */
export type SubjectFactory = (request: SubjectRequest) => OpenSubject | Promise<OpenSubject>;

/** What a file or package exports that can be named on the command line. */
export interface SubjectModule {
  readonly kitSubject: OpenSubject | SubjectFactory;
}

/** Subjects that were opened together. Dispose closes those that hold something, last first. */
export interface OpenSubjects extends AsyncDisposable {
  readonly subjects: readonly KitSubject[];
}

/** Options of {@link openSubjects}. */
export interface OpenSubjectsOptions extends Partial<SubjectRequest> {
  /** How many run side by side. @default 1 */
  readonly lanes?: number;
}

/**
 * Opens the subjects of a module.
 * @throws TypeError when the module exports no subject, or is to give several and exports no function
 * @throws RangeError when `lanes` is no whole number from 1
 */
export async function openSubjects(module: unknown, options: OpenSubjectsOptions = {}): Promise<OpenSubjects> {
  const { lanes = 1, options: given = {}, say = () => {}, timeFactor = 1, signal } = options;
  if (!Number.isSafeInteger(lanes) || lanes < 1) {
    throw new RangeError(`lanes must be a whole number from 1, got ${lanes}`);
  }
  const factory = factoryOf(module, lanes, given);
  const subjects: OpenSubject[] = [];
  const close = async (): Promise<void> => {
    for (const subject of subjects.splice(0).reverse()) await subject[Symbol.asyncDispose]?.();
  };
  try {
    for (let lane = 0; lane < lanes; lane += 1) {
      const subject = await factory({ options: given, say, timeFactor, ...(signal === undefined ? {} : { signal }) });
      subjects.push(subject);
      parseSubject(subject);
    }
    return { subjects: [...subjects], [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function factoryOf(module: unknown, lanes: number, options: SubjectRequest['options']): SubjectFactory {
  const { kitSubject } = (module ?? {}) as Partial<SubjectModule>;
  if (typeof kitSubject === 'function') return kitSubject;
  if (typeof kitSubject !== 'object' || kitSubject === null) {
    throw new TypeError('the module must export kitSubject: a subject of the kit, or a function that makes one');
  }
  if (lanes > 1) throw new TypeError('kitSubject must be a function to run several subjects side by side');
  if (Object.keys(options).length > 0) throw new TypeError('kitSubject must be a function to be given options');
  return () => kitSubject;
}
