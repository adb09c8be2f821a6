import type { Settings } from './schema.ts';

/** Lambda's quota for all environment variables of a function together, in bytes of their JSON. */
const ENVIRONMENT_LIMIT = 4096;

/**
 * The function's environment, which functions/search/lambda.ts reads.
 * @param index address of the index in S3 Vectors
 * @throws if it exceeds Lambda's limit
 */
export function environmentOf(
  {
    auth,
    apiKeys,
    chatSecrets,
    contracts,
    feedback,
    cors,
    jwtIssuer,
    jwtAudience,
    jwtScope,
    jwtGroups,
    logQuestions,
    page,
    timeout,
  }: Settings,
  index?: string,
): Record<string, string> {
  const hasKeys = auth === 'api-key' || (auth === 'jwt' && Object.keys(apiKeys).length > 0);
  const variables = {
    ...(hasKeys && { API_KEYS: JSON.stringify(apiKeys) }),
    ...(auth === 'jwt' && jwtIssuer && { JWT_ISSUER: jwtIssuer, JWT_AUDIENCE: jwtAudience.join(',') }),
    ...(auth === 'jwt' && jwtScope && { JWT_SCOPE: jwtScope }),
    ...(auth === 'jwt' && jwtGroups && { JWT_GROUPS: jwtGroups }),
    ...(logQuestions && { LOG_QUESTIONS: '1' }),
    ...(contracts && { CONTRACTS: '1' }),
    ...(feedback && { FEEDBACK: '1' }),
    // CloudFormation puts the values in, so that no template contains them.
    ...Object.fromEntries(
      Object.entries(chatSecrets).map(([name, secret]) => [
        name,
        `{{resolve:secretsmanager:${secret}:SecretString}}`,
      ]),
    ),
    ...(!page && { PAGE: '0' }),
    ...(index !== undefined && { INDEX: index, TIMEOUT: String(timeout) }),
    ...(cors.length > 0 && { CORS_ORIGINS: cors.join(',') }),
  };
  checkEnvironment(variables);
  return variables;
}

/**
 * Checks that Lambda accepts environment variables.
 * @throws with their sizes and the remedy if they are too large
 */
export function checkEnvironment(variables: Readonly<Record<string, string>>): void {
  const bytesOf = (value: object) => Buffer.byteLength(JSON.stringify(value));
  const bytes = bytesOf(variables);
  if (bytes <= ENVIRONMENT_LIMIT) return;
  const largest = Object.entries(variables)
    .map(([name, value]) => ({ name, bytes: bytesOf({ [name]: value }) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(({ name, bytes }) => `${name} ${bytes}`);
  throw new Error(
    `The function's environment has ${bytes} bytes, but Lambda's limit is ${ENVIRONMENT_LIMIT} (${largest.join(', ')}). Delete unused API keys, or shorten the lists of origins.`,
  );
}
