import { type GoldenImage, WarmvmError } from '@warmvm/core/driver';

/** @throws WarmvmError WARMVM_GOLDEN_INVALID when the image cannot be one, or cannot prove a renewal and must */
export function checkImage(image: GoldenImage, acceptUnrenewable: boolean): void {
  if (typeof image !== 'object' || image === null) throw invalid('image', 'a golden image', image);
  const { name, digest, memoryBytes, virtualCpus, boot, renewal } = image;
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw invalid('name', 'at most 64 letters, digits, "-", "_" and "."', name);
  }
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw invalid('digest', 'sha256: and 64 hexadecimal digits', digest);
  if (!isPositive(memoryBytes)) throw invalid('memoryBytes', 'a whole number above 0', memoryBytes);
  if (!isPositive(virtualCpus)) throw invalid('virtualCpus', 'a whole number above 0', virtualCpus);
  if (!isPositive(boot?.diskBytes)) throw invalid('boot.diskBytes', 'a whole number above 0', boot?.diskBytes);
  if (renewal === undefined && !acceptUnrenewable) {
    throw invalid('renewal', 'a renewal command (or the driver option acceptUnrenewable)', renewal);
  }
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function invalid(field: string, expected: string, value: unknown): WarmvmError {
  const got = String(JSON.stringify(value)).slice(0, 120);
  return new WarmvmError('WARMVM_GOLDEN_INVALID', `Golden image: ${field} must be ${expected}, got ${got}`, {
    details: { field },
    cause: new Error(`${field} is ${got}`),
  });
}
