/**
 * QEMU guest agent client over any channel.
 *
 * @packageDocumentation
 */
export { type AgentChannel, type AgentRequestOptions, type ReplyLimits, refusalReply } from './channel.ts';
export {
  type AgentInfo,
  createGuestAgent,
  type GuestAgent,
  type GuestAgentOptions,
  type GuestOsInfo,
} from './guest-agent.ts';
export { type Identity, identityFor } from './identity.ts';
export type { GuestInterface } from './network-interfaces.ts';
export { quiesceGuest } from './quiesce.ts';
export { type RenewableGuest, type RenewalProof, type RenewGuestOptions, renewGuest } from './renewal.ts';
export { type StreamChannel, type StreamChannelOptions, streamChannel } from './stream-channel.ts';
