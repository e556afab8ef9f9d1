import { XmlElement } from './xml.ts';

/** The host's CPU in libvirt's description of the host, for `connectBaselineCpu`; undefined for other than x86, where there is no flag. */
export function hostCpuXml(capabilities: XmlElement): string | undefined {
  const cpu = capabilities.at('capabilities', 'host', 'cpu');
  const architecture = cpu?.at('arch')?.text;
  const isX86 = architecture === 'x86_64' || architecture === 'i686';
  return isX86 && cpu?.at('model') !== undefined ? cpu.toText() : undefined;
}

/** Whether a CPU with all its features written out has one of the extensions that KVM needs. */
export function hasVirtualisation(cpuXml: string): boolean {
  const features = XmlElement.parse(cpuXml, 'the features of the CPU').at('cpu')?.children('feature') ?? [];
  return features.map((feature) => feature.attribute('name')).some((name) => name === 'vmx' || name === 'svm');
}
