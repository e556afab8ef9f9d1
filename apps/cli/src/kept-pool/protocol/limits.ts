/** Version of the control protocol. Both sides must speak the same. */
export const PROTOCOL_VERSION = 1;

/** Longest frame, without its head. */
export const MOST_FRAME_BYTES = 1_048_576;

/** Longest piece of data that is sent in one frame. */
export const MOST_PIECE_BYTES = 65_536;

/** Input that may be under way to a program which has not read it yet. */
export const INPUT_WINDOW_BYTES = 262_144;

/** Content of a file that goes in one call; longer files go in several. */
export const MOST_WRITE_BYTES = 1_048_576;

/** Longest file that is read in one call: the process that keeps the pool holds it in memory. */
export const MOST_READ_BYTES = 268_435_456;

/** Calls of one connection that may be open at once. */
export const MOST_CALLS = 16;

/** Connections that one pool serves at once. */
export const MOST_CONNECTIONS = 1_024;

/** Time in which a connection must have said what it speaks. */
export const HELLO_WITHIN_MS = 10_000;

/** Longest that Node can wait. */
export const LONGEST_MS: number = 2 ** 31 - 1;
