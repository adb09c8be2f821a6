import ort, { type InferenceSession } from 'onnxruntime-node';
import type { Encoder } from './encoder.ts';

/** An encoder that ONNX Runtime runs, whatever its graph. */
export class OnnxEncoder implements Encoder {
  readonly #session: InferenceSession;
  readonly #columns: number;

  private constructor(session: InferenceSession, columns: number) {
    this.#session = session;
    this.#columns = columns;
  }

  /**
   * Opens a compiled encoder for one thread: a Lambda function of the default size has one core, and a build runs one encoder a core.
   * @param optimize fuse the graph first; wasted time where it is fused already
   */
  static async open(path: string, columns: number, optimize: boolean): Promise<OnnxEncoder> {
    const session = await ort.InferenceSession.create(path, {
      graphOptimizationLevel: optimize ? 'all' : 'disabled',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // An arena would keep 8 MB more than a question needs and start 2 ms later; answers are as quick without.
      enableCpuMemArena: false,
    });
    return new OnnxEncoder(session, columns);
  }

  async run(rows: Float32Array): Promise<Float32Array> {
    const dims = [1, rows.length / this.#columns, this.#columns];
    const { vector } = await this.#session.run({ rows: new ort.Tensor('float32', rows, dims) });
    return vector!.data as Float32Array;
  }
}
