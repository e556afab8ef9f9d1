export { encodePacket, setSerial } from './encode.ts';
export {
  type Header,
  MessageStatus,
  MessageType,
  type Packet,
  Program,
  streamDataBytes,
} from './header.ts';
export { FrameParser } from './parser.ts';
