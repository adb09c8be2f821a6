import type { Index } from '@aws-sdk/client-s3vectors';
import type { Manifest } from '../../../format/manifest.ts';
import { type Address, formatAddress } from '../address.ts';

/**
 * Checks that a vector index fits a local index.
 * @throws with both values of the first difference
 */
export function checkVectorIndex(
  { dimension, distanceMetric, dataType, metadataConfiguration }: Index,
  { dimensions, model }: Manifest,
  address: Address,
): void {
  const keys = metadataConfiguration?.nonFilterableMetadataKeys ?? [];
  const problem =
    dimension !== dimensions
      ? `it has ${dimension} dimensions, but the model ${model.name} has ${dimensions}`
      : distanceMetric !== 'cosine'
        ? `its distance metric is ${distanceMetric} instead of cosine`
        : dataType !== 'float32'
          ? `its data type is ${dataType} instead of float32`
          : !keys.includes('row')
            ? 'row is not among its non-filterable metadata keys'
            : undefined;
  if (problem)
    throw new Error(
      `The vector index ${formatAddress(address)} does not fit: ${problem}. Deploy the stack with "store": "s3vectors" for this model, or choose another address.`,
    );
}
