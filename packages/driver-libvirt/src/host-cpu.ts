/** The host's CPU in libvirt's description of the host, for `connectBaselineCpu`; undefined for other than x86, where there is no flag. */
export function hostCpuXml(capabilities: string): string | undefined {
  const host = /<host>[\s\S]*?<\/host>/.exec(capabilities)?.[0] ?? '';
  const cpu = /<cpu>[\s\S]*?<\/cpu>/.exec(host)?.[0];
  return cpu !== undefined && /<arch>(x86_64|i686)<\/arch>/.test(cpu) && /<model>/.test(cpu) ? cpu : undefined;
}

/** Whether a CPU with all its features written out has one of the extensions that KVM needs. */
export function hasVirtualisation(cpuXml: string): boolean {
  return /<feature\b[^>]*\bname='(vmx|svm)'/.test(cpuXml);
}
