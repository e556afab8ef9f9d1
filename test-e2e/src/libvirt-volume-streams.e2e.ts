import { openClient, StoragePoolCreateFlags, StorageVolumeUploadFlags } from '@warmvm/libvirt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PrivateLibvirtd, startPrivateLibvirtd } from './support/private-libvirtd.ts';

let daemon: PrivateLibvirtd;

beforeAll(async () => {
  daemon = await startPrivateLibvirtd();
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

describe('volumes of real files', () => {
  const poolXml = (path: string) => `<pool type="dir"><name>files</name><target><path>${path}</path></target></pool>`;
  const volumeXml =
    '<volume><name>disk.raw</name><capacity>16777216</capacity><allocation>0</allocation><target><format type="raw"/></target></volume>';

  test('go up and come down again through streams, holes included', async () => {
    await using files = await openClient({ uri: `qemu:///session?socket=${daemon.socketPath}` });
    const xml = poolXml(`${daemon.folder}/files`);
    const { pool } = await files.call('storagePoolCreateXml', { xml, flags: StoragePoolCreateFlags.WITH_BUILD });
    const { vol } = await files.call('storageVolCreateXml', { pool, xml: volumeXml, flags: 0 });
    const whole = { vol, offset: 0n, length: 0n };
    const sparse = { ...whole, flags: StorageVolumeUploadFlags.SPARSE_STREAM };
    const data = Buffer.alloc(3_000_001, 'warm');

    await using upload = await files.openStream('storageVolUpload', sparse);
    await upload.write(data);
    await upload.writeHole(4_194_304n);
    await upload.write(Buffer.from('tail'));
    await upload.finish();

    await using plain = await files.openStream('storageVolDownload', { ...whole, flags: 0 });
    const chunks: Uint8Array[] = [];
    for await (const chunk of plain) chunks.push(chunk);
    await plain.finish();
    const expected = Buffer.concat([data, Buffer.alloc(4_194_304), Buffer.from('tail')]);
    expect(Buffer.concat(chunks).equals(expected)).toBe(true);

    await using holes = await files.openStream('storageVolDownload', sparse);
    let dataBytes = 0n;
    let holeBytes = 0n;
    for await (const part of holes.parts()) {
      if (part.type === 'hole') holeBytes += part.lengthBytes;
      else dataBytes += BigInt(part.data.byteLength);
    }
    await holes.finish();
    expect(holeBytes).toBeGreaterThan(4_000_000n);
    expect(dataBytes + holeBytes).toBe(BigInt(expected.byteLength));

    const tooMuch = await files.openStream('storageVolUpload', { ...whole, length: 4n, flags: 0 });
    const failing = tooMuch.write(Buffer.alloc(1_000_000)).then(() => tooMuch.finish());
    await expect(failing).rejects.toMatchObject({ code: 'LIBVIRT_REMOTE' });
    await files.call('storageVolDelete', { vol, flags: 0 });
    await files.call('storagePoolDestroy', { pool });
  });
});
