import { Annotations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { buildCost, openEndpointCost, provisionedCost } from './cost.ts';
import type { Settings } from './schema.ts';

/** Prints what an open endpoint, started instances and builds cost. */
export function annotateCosts(scope: Construct, settings: Settings): void {
  const {
    auth,
    architecture,
    memorySize,
    reservedConcurrency: instances,
    provisionedConcurrency,
    documents,
    builderMemory,
  } = settings;
  if (auth === 'none') {
    const rate = settings.throttleRate + settings.browserThrottleRate;
    const cost = openEndpointCost({
      ratePerSecond: rate,
      reservedConcurrency: instances,
      memoryMb: memorySize,
      architecture,
    });
    Annotations.of(scope).addWarningV2(
      'polyseek:open-endpoint',
      `auth is none: everyone can call the endpoint. At ${rate} questions per second, day and night, ` +
        `${instances === 'none' ? '' : `with at most ${instances} instances of the function, `}it costs up to ` +
        `$${Math.ceil(cost)} a month. Use -c auth=api-key to require an API key.`,
    );
  }
  if (provisionedConcurrency) {
    const cost = provisionedCost(provisionedConcurrency, memorySize, architecture);
    Annotations.of(scope).addInfoV2(
      'polyseek:provisioned-concurrency',
      `provisionedConcurrency is ${provisionedConcurrency}: instances that are always started cost ` +
        `$${cost.toFixed(2)} a month (list price in us-east-1), in addition to their requests.`,
    );
  }
  if (documents) {
    const cost = buildCost(60, builderMemory, architecture);
    Annotations.of(scope).addInfoV2(
      'polyseek:builds',
      `documents: a minute of building costs $${cost.toFixed(4)} (list price in us-east-1, ${builderMemory} MB).`,
    );
  }
}
