import { checkEnvironment } from './keys.ts';
import type { Settings } from './schema.ts';

/**
 * The function's environment, which functions/search/lambda.ts reads.
 * @param index address of the index in S3 Vectors
 * @throws if it exceeds Lambda's limit
 */
export function environmentOf(
  { auth, apiKeys, cors, jwtIssuer, jwtAudience, jwtScope, logQuestions, page, timeout }: Settings,
  index?: string,
): Record<string, string> {
  const hasKeys = auth === 'api-key' || (auth === 'jwt' && Object.keys(apiKeys).length > 0);
  const variables = {
    ...(hasKeys && { API_KEYS: JSON.stringify(apiKeys) }),
    ...(auth === 'jwt' && jwtIssuer && { JWT_ISSUER: jwtIssuer, JWT_AUDIENCE: jwtAudience.join(',') }),
    ...(auth === 'jwt' && jwtScope && { JWT_SCOPE: jwtScope }),
    ...(logQuestions && { LOG_QUESTIONS: '1' }),
    ...(!page && { PAGE: '0' }),
    ...(index !== undefined && { INDEX: index, TIMEOUT: String(timeout) }),
    ...(cors.length > 0 && { CORS_ORIGINS: cors.join(',') }),
  };
  checkEnvironment(variables);
  return variables;
}
