import { Duplex, type DuplexOptions } from 'node:stream';

/** What a Duplex is made over. */
export interface DuplexSource extends AsyncIterable<Uint8Array> {
  write(data: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  abort(): Promise<void>;
}

/**
 * A node Duplex over a stream of libvirt. Ending the writable side finishes the stream; a stream that only reads is
 * finished at the end of its data; destroying aborts.
 */
export function toDuplex(
  source: DuplexSource,
  sides: { readonly canRead: boolean; readonly canWrite: boolean },
): Duplex {
  const iterator = source[Symbol.asyncIterator]();
  const options: DuplexOptions & { readonly readable: boolean; readonly writable: boolean } = {
    readable: sides.canRead,
    writable: sides.canWrite,
    read() {
      iterator
        .next()
        .then(async (result) => {
          if (!result.done) {
            duplex.push(result.value);
            return;
          }
          if (!sides.canWrite) await source.finish();
          duplex.push(null);
        })
        .catch((error: Error) => duplex.destroy(error));
    },
    write(chunk: Uint8Array, _encoding, callback) {
      source.write(chunk).then(() => callback(), callback);
    },
    final(callback) {
      source.finish().then(() => callback(), callback);
    },
    destroy(error, callback) {
      source.abort().then(
        () => callback(error),
        () => callback(error),
      );
    },
  };
  const duplex = new Duplex(options);
  return duplex;
}
