export { type CompileBundleOptions as LoadBundleOptions, compileBundle as loadBundle } from './compile.ts';
