/** Registration of event callbacks; the client makes these calls itself, see the subscriptions. */
export const eventRegistrationProcedures = {
  connectDomainEventCallbackRegisterAny: {
    number: 316,
    args: { eventID: 'i32', dom: 'domain?' },
    ret: { callbackID: 'i32' },
  },
  connectDomainEventCallbackDeregisterAny: { number: 317, args: { callbackID: 'i32' }, ret: {} },
  connectNetworkEventRegisterAny: {
    number: 313,
    args: { eventID: 'i32', net: 'network?' },
    ret: { callbackID: 'i32' },
  },
  connectNetworkEventDeregisterAny: { number: 314, args: { callbackID: 'i32' }, ret: {} },
  connectStoragePoolEventRegisterAny: {
    number: 368,
    args: { eventID: 'i32', pool: 'pool?' },
    ret: { callbackID: 'i32' },
  },
  connectStoragePoolEventDeregisterAny: { number: 369, args: { callbackID: 'i32' }, ret: {} },
  connectNodeDeviceEventRegisterAny: {
    number: 374,
    args: { eventID: 'i32', dev: 'nodeDevice?' },
    ret: { callbackID: 'i32' },
  },
  connectNodeDeviceEventDeregisterAny: { number: 375, args: { callbackID: 'i32' }, ret: {} },
  connectSecretEventRegisterAny: {
    number: 380,
    args: { eventID: 'i32', secret: 'secret?' },
    ret: { callbackID: 'i32' },
  },
  connectSecretEventDeregisterAny: { number: 381, args: { callbackID: 'i32' }, ret: {} },
} as const;
