/** What the figures of a suite must be read together with. */
export interface BenchEnvironment {
  readonly node: string;
  readonly platform: string;
  readonly kernel: string;
  readonly cpuModel: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  /** Such as `kvm`, `tcg`; `none` for machines that are simulated. */
  readonly acceleration: string;
  readonly accelerationReason: string;
  /** In words, such as `QEMU 7.2.22, libvirt 9.0.0`. */
  readonly hypervisor: string;
  /** Versions; null where the driver does not use it. */
  readonly qemu: string | null;
  readonly libvirt: string | null;
  /** Who reaps ended guests. libvirtd counts an unreaped guest as running, so this changes its figures. */
  readonly subreaper: string;
  readonly storage: string;
  /** Of one, five and fifteen minutes. */
  readonly loadAverage: { readonly atStart: readonly number[]; readonly atEnd: readonly number[] };
  /** Collections of the measuring process. */
  readonly garbage: { readonly count: number; readonly durationMs: number };
  /** ISO 8601, in UTC. */
  readonly startedAt: string;
}
