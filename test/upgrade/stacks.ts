import type { SettingsInput } from '../../infra/schema.ts';

const apiKeys = { chatbot: 'a'.repeat(64) };

/** Settings of stacks that together have every resource with data or an address. */
export const STACKS: Record<string, SettingsInput> = {
  bundle: { apiKeys },
  address: {
    auth: 'none',
    domainName: 'search.example.com',
    certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0',
    hostedZoneId: 'Z0123456789ABCDEFGHIJ',
    distribution: true,
    alarmEmail: 'team@example.com',
    githubRepository: 'owner/name',
  },
  documents: { apiKeys, documents: true },
  s3vectors: { apiKeys, store: 's3vectors', documents: 's3://bucket/prefix' },
};
