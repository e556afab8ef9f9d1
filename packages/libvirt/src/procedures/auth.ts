/** The calls of the opening handshake. */
export const authProcedures = {
  authList: { number: 66, args: {}, ret: { types: 'i32[20]' } },
  authPolkit: { number: 70, args: {}, ret: { complete: 'i32' } },
} as const;
