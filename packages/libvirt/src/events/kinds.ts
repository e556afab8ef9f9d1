/** Kinds of domain events, by event id; `message` is the number under which the daemon sends them. */
export const domainEventKinds = {
  lifecycle: { eventId: 0, message: 318, payload: { dom: 'domain', event: 'i32', detail: 'i32' } },
  reboot: { eventId: 1, message: 319, payload: { dom: 'domain' } },
  rtcChange: { eventId: 2, message: 320, payload: { dom: 'domain', offset: 'i64' } },
  watchdog: { eventId: 3, message: 321, payload: { dom: 'domain', action: 'i32' } },
  ioError: {
    eventId: 4,
    message: 322,
    payload: { dom: 'domain', srcPath: 'string', devAlias: 'string', action: 'i32' },
  },
  graphics: {
    eventId: 5,
    message: 323,
    payload: {
      dom: 'domain',
      phase: 'i32',
      local: 'graphicsAddress',
      remote: 'graphicsAddress',
      authScheme: 'string',
      subject: 'graphicsIdentity[20]',
    },
  },
  ioErrorReason: {
    eventId: 6,
    message: 324,
    payload: { dom: 'domain', srcPath: 'string', devAlias: 'string', action: 'i32', reason: 'string' },
  },
  controlError: { eventId: 7, message: 325, payload: { dom: 'domain' } },
  blockJob: { eventId: 8, message: 326, payload: { dom: 'domain', path: 'string', type: 'i32', status: 'i32' } },
  diskChange: {
    eventId: 9,
    message: 327,
    payload: { dom: 'domain', oldSrcPath: 'string?', newSrcPath: 'string?', devAlias: 'string', reason: 'i32' },
  },
  trayChange: { eventId: 10, message: 328, payload: { dom: 'domain', devAlias: 'string', reason: 'i32' } },
  pmWakeup: { eventId: 11, message: 329, payload: { reason: 'i32', dom: 'domain' } },
  pmSuspend: { eventId: 12, message: 330, payload: { reason: 'i32', dom: 'domain' } },
  balloonChange: { eventId: 13, message: 331, payload: { dom: 'domain', actual: 'u64' } },
  pmSuspendDisk: { eventId: 14, message: 332, payload: { reason: 'i32', dom: 'domain' } },
  deviceRemoved: { eventId: 15, message: 333, payload: { dom: 'domain', devAlias: 'string' } },
  blockJob2: { eventId: 16, message: 339, payload: { dom: 'domain', dst: 'string', type: 'i32', status: 'i32' } },
  tunable: { eventId: 17, message: 346, payload: { dom: 'domain', params: 'param[2048]' } },
  agentLifecycle: { eventId: 18, message: 348, payload: { dom: 'domain', state: 'i32', reason: 'i32' } },
  deviceAdded: { eventId: 19, message: 354, payload: { dom: 'domain', devAlias: 'string' } },
  migrationIteration: { eventId: 20, message: 359, payload: { dom: 'domain', iteration: 'i32' } },
  jobCompleted: { eventId: 21, message: 363, payload: { dom: 'domain', params: 'param[64]' } },
  deviceRemovalFailed: { eventId: 22, message: 367, payload: { dom: 'domain', devAlias: 'string' } },
  metadataChange: { eventId: 23, message: 379, payload: { dom: 'domain', type: 'i32', nsuri: 'string?' } },
  blockThreshold: {
    eventId: 24,
    message: 385,
    payload: { dom: 'domain', dev: 'string', path: 'string?', threshold: 'u64', excess: 'u64' },
  },
  memoryFailure: {
    eventId: 25,
    message: 423,
    payload: { dom: 'domain', recipient: 'i32', action: 'i32', flags: 'u32' },
  },
  memoryDeviceSizeChange: { eventId: 26, message: 438, payload: { dom: 'domain', alias: 'string', size: 'u64' } },
  nicMacChange: {
    eventId: 27,
    message: 453,
    payload: { dom: 'domain', alias: 'string', oldMac: 'string', newMac: 'string' },
  },
} as const;

/** Kinds of storage pool events. */
export const storagePoolEventKinds = {
  lifecycle: { eventId: 0, message: 370, payload: { pool: 'pool', event: 'i32', detail: 'i32' } },
  refresh: { eventId: 1, message: 373, payload: { pool: 'pool' } },
} as const;

/** Kinds of network events. */
export const networkEventKinds = {
  lifecycle: { eventId: 0, message: 315, payload: { net: 'network', event: 'i32', detail: 'i32' } },
  metadataChange: { eventId: 1, message: 446, payload: { net: 'network', type: 'i32', nsuri: 'string?' } },
} as const;

/** Kinds of events of the host's devices. */
export const nodeDeviceEventKinds = {
  lifecycle: { eventId: 0, message: 376, payload: { dev: 'nodeDevice', event: 'i32', detail: 'i32' } },
  update: { eventId: 1, message: 377, payload: { dev: 'nodeDevice' } },
} as const;

/** Kinds of events of secrets; none carries a value. */
export const secretEventKinds = {
  lifecycle: { eventId: 0, message: 382, payload: { secret: 'secret', event: 'i32', detail: 'i32' } },
  valueChanged: { eventId: 1, message: 383, payload: { secret: 'secret' } },
} as const;

/** Events of the qemu monitor, as QEMU itself names them. */
export const qemuMonitorEventKinds = {
  monitor: {
    eventId: 0,
    message: 6,
    payload: { dom: 'domain', event: 'string', seconds: 'i64', micros: 'u32', details: 'string?' },
  },
} as const;
