/** As long as the kernel lets an interface's name be; what else could stand there might be taken for an option or begin a property. */
export const INTERFACE_NAME: RegExp = /^[A-Za-z0-9][\w.-]{0,14}$/;
