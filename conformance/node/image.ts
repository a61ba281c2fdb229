import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A file of an image, or a folder where it has no content. */
export interface ImageFile {
  /** Without a slash at its start. */
  readonly path: string;
  readonly content?: Buffer;
  /** Permission bits; default 0755. */
  readonly mode?: number;
}

export interface ImageOptions {
  /** `registry.test/name:tag`. */
  readonly name: string;
  /** Its one layer, as a tar archive. */
  readonly layer: Buffer;
  readonly entrypoint: readonly string[];
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/**
 * A container image of one layer as the archive of an OCI layout, which `ctr images import` reads.
 * Open Container Initiative: image-spec, image-layout.md, manifest.md, config.md.
 */
export function makeImage({ name, layer, entrypoint }: ImageOptions): Buffer {
  const config = json({
    architecture: { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
    os: 'linux',
    config: { Entrypoint: entrypoint },
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digest(layer), size: layer.length }],
  });
  const index = json({
    schemaVersion: 2,
    manifests: [
      { mediaType: MANIFEST, digest: digest(manifest), size: manifest.length, annotations: { 'io.containerd.image.name': name } },
    ],
  });
  const blobs = [layer, config, manifest].map(
    (content): ImageFile => ({ path: `blobs/${digest(content).replace(':', '/')}`, content, mode: 0o644 }),
  );
  return makeTar([
    { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }), mode: 0o644 },
    { path: 'index.json', content: index, mode: 0o644 },
    ...blobs,
  ]);
}

/** The image of one static program, which is what its containers run; for pods and for their sandboxes. */
export function makeProgramImage(name: string, executable: string, command: readonly string[] = []): Buffer {
  const folders = ['etc', 'proc', 'sys', 'dev', 'tmp', 'var'].map((path): ImageFile => ({ path }));
  return makeImage({
    name,
    layer: makeTar([...folders, { path: 'program', content: readFileSync(executable) }]),
    entrypoint: ['/program', ...command],
  });
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digest(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

const BLOCK = 512;

/** POSIX.1-1988 ustar; names of at most 100 bytes. */
function makeTar(files: readonly ImageFile[]): Buffer {
  const parts: Buffer[] = [];
  for (const { path, content, mode = 0o755 } of files) {
    const header = Buffer.alloc(BLOCK);
    if (Buffer.byteLength(path) > 100) throw new Error(`the name is too long for a tar header: ${path}`);
    header.write(path, 0);
    const octal = (value: number, offset: number, width: number): void =>
      void header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset);
    octal(mode, 100, 8);
    octal(0, 108, 8);
    octal(0, 116, 8);
    octal(content?.length ?? 0, 124, 12);
    octal(0, 136, 12);
    header.write('        ', 148);
    header.write(content === undefined ? '5' : '0', 156);
    header.write('ustar\x0000', 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    parts.push(header);
    if (content !== undefined) parts.push(content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}
