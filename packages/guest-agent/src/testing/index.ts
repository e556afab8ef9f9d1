/**
 * A guest agent in memory, for tests of what talks to one.
 *
 * @packageDocumentation
 */
export { MemoryAgent, type MemoryAgentOptions, type MemoryCommand } from './memory-agent.ts';
export type { MemoryExit, MemoryInvocation, MemoryProgram } from './memory-process.ts';
