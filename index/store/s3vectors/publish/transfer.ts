import type { ServiceOptions } from './service.ts';

/** How far a publication or a download is. `uploading` starts where an unfinished publication ended. */
export interface TransferProgress {
  phase: 'comparing' | 'uploading' | 'downloading';
  unit: 'passages';
  done: number;
  total: number;
}

/** Options of everything that uploads or downloads an index. */
export interface TransferOptions extends ServiceOptions {
  progress?: (progress: TransferProgress) => void;
  /** Vectors of an upload's request, 500 at most. Smaller batches let tests interrupt small publications. Default: 500. */
  batch?: number;
}
