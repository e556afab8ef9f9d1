/** What a guest may reach, and who may reach it. */
export type NetworkPlan =
  | { readonly kind: 'none' }
  | UserNetwork
  /** An existing tap device of the host, which the user who runs QEMU must own. Nothing is done to it: no script runs. */
  | { readonly kind: 'tap'; readonly name: string; readonly mac: string };

/** A network of QEMU's own, in user space. */
export interface UserNetwork {
  readonly kind: 'user';
  /**
   * The guest reaches nothing but what is forwarded to it. When false, it reaches all that the user who runs QEMU can reach, and as
   * 10.0.2.2 also what listens on this computer's loopback address.
   */
  readonly restrict: boolean;
  readonly forwards: readonly PortForward[];
  /** Six hexadecimal bytes, unicast. See `macFor`. */
  readonly mac: string;
}

/** A port of the host that leads to one of the guest. */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp';
  /** IPv4 address of the host to listen at. @default '127.0.0.1' */
  readonly hostAddress?: string;
  /** 1 to 65535. QEMU does not start when it is taken. */
  readonly hostPort: number;
  readonly guestPort: number;
}
