import ort, { type InferenceSession } from 'onnxruntime-node';
import { damaged } from '../format/container.ts';
import type { EncodedTokens, Encoder } from './encoder.ts';

/** An encoder with any graph, which ONNX Runtime runs. */
export class OnnxEncoder implements Encoder {
  readonly #session: InferenceSession;
  readonly #columns: number;

  private constructor(session: InferenceSession, columns: number) {
    this.#session = session;
    this.#columns = columns;
  }

  /**
   * Opens a compiled encoder for one thread: a Lambda function of the default size has one core, and a build runs one encoder a core.
   * @param optimize fuse the graph first; false saves time for a graph that is fused already
   * @throws if ONNX Runtime cannot read the file
   */
  static async open(path: string, columns: number, optimize: boolean): Promise<OnnxEncoder> {
    const options: InferenceSession.SessionOptions = {
      graphOptimizationLevel: optimize ? 'all' : 'disabled',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // An arena would use 8 MB more memory and start 2 ms later, without faster answers.
      enableCpuMemArena: false,
    };
    const session = await ort.InferenceSession.create(path, options).catch((error: Error) => {
      throw damaged(path, error.message.replace(/\.$/, ''));
    });
    return new OnnxEncoder(session, columns);
  }

  async run(rows: Float32Array): Promise<Float32Array> {
    const { vector } = await this.#session.run(this.#input(rows), ['vector']);
    return vector!.data as Float32Array;
  }

  async runWithStates(rows: Float32Array): Promise<EncodedTokens> {
    const { vector, states } = await this.#session.run(this.#input(rows), ['vector', 'states']);
    return { vector: vector!.data as Float32Array, states: states!.data as Float32Array };
  }

  #input(rows: Float32Array): { rows: ort.Tensor } {
    const dims = [1, rows.length / this.#columns, this.#columns];
    return { rows: new ort.Tensor('float32', rows, dims) };
  }
}
