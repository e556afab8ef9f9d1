/** What a guest may reach, and who may reach it. */
export type NetworkPlan =
  | { readonly kind: 'none' }
  /** A card that leads nowhere: a template's whose forks get one network or another. */
  | { readonly kind: 'unplugged'; readonly mac: string }
  | UserNetwork
  /** An existing tap device of the host, which the user who runs QEMU must own. Nothing is done to it: no script runs. */
  | { readonly kind: 'tap'; readonly name: string; readonly mac: string };

/** A network of QEMU's own, in user space: IPv4, 10.0.2.0/24. Ports are forwarded to it later, see `openForwards`. */
export interface UserNetwork {
  readonly kind: 'user';
  /**
   * The guest reaches nothing but what is forwarded to it. When false, it reaches all that the user who runs QEMU can reach, and as
   * 10.0.2.2 also what listens on this computer's loopback address.
   */
  readonly restrict: boolean;
  /** First address that the guest gets by DHCP. @default QEMU's own, 10.0.2.15 */
  readonly firstAddress?: string;
  /** Six hexadecimal bytes, unicast. */
  readonly mac: string;
}
