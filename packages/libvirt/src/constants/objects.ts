/** Flags of `networkGetXmlDesc` (`VIR_NETWORK_XML_*`). */
export const NetworkXmlFlags = {
  INACTIVE: 1,
} as const;

/** Flags of `networkCreateXmlFlags` (`VIR_NETWORK_CREATE_*`). */
export const NetworkCreateFlags = {
  VALIDATE: 1,
} as const;

/** Flags of `networkDefineXmlFlags` (`VIR_NETWORK_DEFINE_*`). */
export const NetworkDefineFlags = {
  VALIDATE: 1,
} as const;

/** Commands of `networkUpdate` (`VIR_NETWORK_UPDATE_COMMAND_*`). */
export const NetworkUpdateCommand = {
  NONE: 0,
  MODIFY: 1,
  DELETE: 2,
  ADD_LAST: 3,
  ADD_FIRST: 4,
} as const;

/** Sections of `networkUpdate` (`VIR_NETWORK_SECTION_*`). */
export const NetworkUpdateSection = {
  NONE: 0,
  BRIDGE: 1,
  DOMAIN: 2,
  IP: 3,
  IP_DHCP_HOST: 4,
  IP_DHCP_RANGE: 5,
  FORWARD: 6,
  FORWARD_INTERFACE: 7,
  FORWARD_PF: 8,
  PORTGROUP: 9,
  DNS_HOST: 10,
  DNS_TXT: 11,
  DNS_SRV: 12,
} as const;

/** What `networkUpdate` applies to (`VIR_NETWORK_UPDATE_AFFECT_*`). */
export const NetworkUpdateFlags = {
  CURRENT: 0,
  LIVE: 1,
  CONFIG: 2,
} as const;

/** Family of an address (`VIR_IP_ADDR_TYPE_*`). */
export const IpAddressType = {
  IPV4: 0,
  IPV6: 1,
} as const;

/** What a secret is for (`VIR_SECRET_USAGE_TYPE_*`). */
export const SecretUsageType = {
  NONE: 0,
  VOLUME: 1,
  CEPH: 2,
  ISCSI: 3,
  TLS: 4,
  VTPM: 5,
} as const;

/** Filters of `connectListAllSecrets` (`VIR_CONNECT_LIST_SECRETS_*`). */
export const ConnectListAllSecretsFlags = {
  EPHEMERAL: 1,
  NO_EPHEMERAL: 2,
  PRIVATE: 4,
  NO_PRIVATE: 8,
} as const;

/** Flags of `secretDefineXml` (`VIR_SECRET_DEFINE_*`). */
export const SecretDefineFlags = {
  VALIDATE: 1,
} as const;

/** Flags of `nwfilterDefineXmlFlags` (`VIR_NWFILTER_DEFINE_*`). */
export const NwfilterDefineFlags = {
  VALIDATE: 1,
} as const;

/** Flags of `storagePoolDefineXml` (`VIR_STORAGE_POOL_DEFINE_*`). */
export const StoragePoolDefineFlags = {
  VALIDATE: 1,
} as const;

/** Flags of `storageVolGetInfoFlags` (`VIR_STORAGE_VOL_*`). */
export const StorageVolumeInfoFlags = {
  USE_ALLOCATION: 0,
  GET_PHYSICAL: 1,
} as const;

/** Flags of the calls that return the XML of pools and volumes (`VIR_STORAGE_XML_*`). */
export const StorageXmlFlags = {
  INACTIVE: 1,
} as const;

/** Flags of `nodeAllocPages` (`VIR_NODE_ALLOC_PAGES_*`). */
export const NodeAllocPagesFlags = {
  ADD: 0,
  SET: 1,
} as const;

/** Filters of `connectListAllNodeDevices`; keep them unsigned after `|` with `>>> 0` (`VIR_CONNECT_LIST_NODE_DEVICES_*`). */
export const ConnectListAllNodeDevicesFlags = {
  CAP_SYSTEM: 1,
  CAP_PCI_DEV: 2,
  CAP_USB_DEV: 4,
  CAP_USB_INTERFACE: 8,
  CAP_NET: 16,
  CAP_SCSI_HOST: 32,
  CAP_SCSI_TARGET: 64,
  CAP_SCSI: 128,
  CAP_STORAGE: 256,
  CAP_FC_HOST: 512,
  CAP_VPORTS: 1024,
  CAP_SCSI_GENERIC: 2048,
  CAP_DRM: 4096,
  CAP_MDEV_TYPES: 8192,
  CAP_MDEV: 16384,
  CAP_CCW_DEV: 32768,
  CAP_CSS_DEV: 65536,
  CAP_VDPA: 131072,
  CAP_AP_CARD: 262144,
  CAP_AP_QUEUE: 524288,
  CAP_AP_MATRIX: 1048576,
  CAP_VPD: 2097152,
  INACTIVE: 1073741824,
  ACTIVE: 2147483648,
} as const;

/** Filters of `connectListAllInterfaces` (`VIR_CONNECT_LIST_INTERFACES_*`). */
export const ConnectListAllInterfacesFlags = {
  INACTIVE: 1,
  ACTIVE: 2,
} as const;

/** Flags of the calls that compare processors (`VIR_CONNECT_COMPARE_CPU_*`). */
export const ConnectCompareCpuFlags = {
  FAIL_INCOMPATIBLE: 1,
  VALIDATE_XML: 2,
} as const;

/** Result of the calls that compare processors (`VIR_CPU_COMPARE_*`). */
export const CpuCompareResult = {
  ERROR: -1,
  INCOMPATIBLE: 0,
  IDENTICAL: 1,
  SUPERSET: 2,
} as const;

/** Flags of the calls that find common features of processors (`VIR_CONNECT_BASELINE_CPU_*`). */
export const ConnectBaselineCpuFlags = {
  EXPAND_FEATURES: 1,
  MIGRATABLE: 2,
} as const;

/** Flags of `interfaceGetXmlDesc` (`VIR_INTERFACE_XML_*`). */
export const HostInterfaceXmlFlags = {
  INACTIVE: 1,
} as const;

/** Flags of `networkPortCreateXml` (`VIR_NETWORK_PORT_CREATE_*`). */
export const NetworkPortCreateFlags = {
  RECLAIM: 1,
  VALIDATE: 2,
} as const;
