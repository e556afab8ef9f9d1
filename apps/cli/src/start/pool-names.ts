/** Names of the main job's pools: what a killed run left under one is swept by the next. One begins as the other does. */
export const POOL_NAME = 'start';
export const STATED_POOL_NAME = 'start-five';
