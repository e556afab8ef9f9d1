/** States of a storage pool (`VIR_STORAGE_POOL_*`). */
export const StoragePoolState = {
  INACTIVE: 0,
  BUILDING: 1,
  RUNNING: 2,
  DEGRADED: 3,
  INACCESSIBLE: 4,
} as const;

/** Flags of `storagePoolBuild` (`VIR_STORAGE_POOL_BUILD_*`). */
export const StoragePoolBuildFlags = {
  NEW: 0,
  REPAIR: 1,
  RESIZE: 2,
  NO_OVERWRITE: 4,
  OVERWRITE: 8,
} as const;

/** Flags of `storagePoolCreate` and `storagePoolCreateXml` (`VIR_STORAGE_POOL_CREATE_*`). */
export const StoragePoolCreateFlags = {
  NORMAL: 0,
  WITH_BUILD: 1,
  WITH_BUILD_OVERWRITE: 2,
  WITH_BUILD_NO_OVERWRITE: 4,
} as const;

/** Flags of `storagePoolDelete` (`VIR_STORAGE_POOL_DELETE_*`). */
export const StoragePoolDeleteFlags = {
  NORMAL: 0,
  ZEROED: 1,
} as const;

/** Types of volumes (`VIR_STORAGE_VOL_*`). */
export const StorageVolumeType = {
  FILE: 0,
  BLOCK: 1,
  DIR: 2,
  NETWORK: 3,
  NETDIR: 4,
  PLOOP: 5,
} as const;

/** Flags of `storageVolCreateXml` and `storageVolCreateXmlFrom` (`VIR_STORAGE_VOL_CREATE_*`). */
export const StorageVolumeCreateFlags = {
  PREALLOC_METADATA: 1,
  REFLINK: 2,
  VALIDATE: 4,
} as const;

/** Flags of `storageVolDelete` (`VIR_STORAGE_VOL_DELETE_*`). */
export const StorageVolumeDeleteFlags = {
  NORMAL: 0,
  ZEROED: 1,
  WITH_SNAPSHOTS: 2,
} as const;

/** Flags of `storageVolResize` (`VIR_STORAGE_VOL_RESIZE_*`). */
export const StorageVolumeResizeFlags = {
  ALLOCATE: 1,
  DELTA: 2,
  SHRINK: 4,
} as const;

/** Algorithms of `storageVolWipePattern` (`VIR_STORAGE_VOL_WIPE_ALG_*`). */
export const StorageVolumeWipeAlgorithm = {
  ZERO: 0,
  NNSA: 1,
  DOD: 2,
  BSI: 3,
  GUTMANN: 4,
  SCHNEIER: 5,
  PFITZNER7: 6,
  PFITZNER33: 7,
  RANDOM: 8,
  TRIM: 9,
} as const;

/** Flags of `storageVolDownload` (`VIR_STORAGE_VOL_DOWNLOAD_*`). */
export const StorageVolumeDownloadFlags = {
  SPARSE_STREAM: 1,
} as const;

/** Flags of `storageVolUpload` (`VIR_STORAGE_VOL_UPLOAD_*`). */
export const StorageVolumeUploadFlags = {
  SPARSE_STREAM: 1,
} as const;
