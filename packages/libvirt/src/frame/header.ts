/** Programs of the protocol that this client speaks. */
export const Program = { REMOTE: 0x2000_8086, QEMU: 0x2000_8087, KEEPALIVE: 0x6b65_6570 } as const;

/** What a packet is. */
export const MessageType = {
  CALL: 0,
  REPLY: 1,
  MESSAGE: 2,
  STREAM: 3,
  CALL_FDS: 4,
  REPLY_FDS: 5,
  STREAM_HOLE: 6,
} as const;

/** How a packet ends what it belongs to. */
export const MessageStatus = { OK: 0, ERROR: 1, CONTINUE: 2 } as const;

/** Version of every program. */
export const programVersion = 1;

/** Bytes of the length word and the header together: the smallest packet. */
export const prefixBytes = 28;

/** Largest packet, length word included: VIR_NET_MESSAGE_LEN_MAX + VIR_NET_MESSAGE_MAX of libvirt 9.0.0. */
export const maxPacketBytes = 33_554_436;

/** Stream data that libvirt itself puts into one packet at most. */
export const streamDataBytes = 262_120;

/** The header of a packet. */
export interface Header {
  /** One of {@link Program}, or another one of a newer daemon. */
  readonly program: number;
  /** Number of the procedure or event within the program. */
  readonly procedure: number;
  /** One of {@link MessageType}. */
  readonly type: number;
  /** Chosen by the caller, repeated by replies and stream packets. */
  readonly serial: number;
  /** One of {@link MessageStatus}. */
  readonly status: number;
}

/** A whole packet. */
export interface Packet extends Header {
  /** What follows the header; a view on memory that is never written again. */
  readonly payload: Uint8Array;
}
