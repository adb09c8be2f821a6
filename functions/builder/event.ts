import * as v from 'valibot';
import { parseJson } from '../../index/kit/json.ts';
import { type BuildCause, isBuildId, newBuildId } from './builds.ts';

const id = v.pipe(v.string(), v.check(isBuildId));
const batch = v.object({ Records: v.array(v.object({ messageId: v.string(), body: v.string() })) });
const request = v.object({ build: id, cause: v.optional(v.literal('events')) });
const continuation = v.object({ continue: id });
/** An event of EventBridge, as far as it says why it came. */
const message = v.object({ source: v.string() });

/** Causes by the sources of events, in the order of precedence: a batch can contain several. */
const CAUSES: [source: string, cause: BuildCause][] = [
  ['aws.s3', 'events'],
  ['aws.cloudformation', 'deploy'],
  ['aws.events', 'schedule'],
  ['aws.scheduler', 'schedule'],
];

/** A build that should run. */
export interface BuildRequest {
  id: string;
  cause: BuildCause;
  /** `batch`: by messages of the queue. `request`: by a direct invocation. `continuation`: by the build's last invocation. */
  kind: 'batch' | 'request' | 'continuation';
  /** Ids of the messages. */
  messages: string[];
}

/** Reads the event of an invocation. Throws if it is none of the builder's. */
export function readEvent(event: unknown): BuildRequest {
  if (v.is(batch, event)) {
    const sources = event.Records.map(({ body }) => sourceOf(body));
    const [, cause = 'events'] = CAUSES.find(([source]) => sources.includes(source)) ?? [];
    return {
      id: newBuildId(),
      cause,
      kind: 'batch',
      messages: event.Records.map(({ messageId }) => messageId),
    };
  }
  if (v.is(request, event))
    return { id: event.build, cause: event.cause ?? 'request', kind: 'request', messages: [] };
  if (v.is(continuation, event))
    return { id: event.continue, cause: 'request', kind: 'continuation', messages: [] };
  throw new Error(
    'The event is neither a batch of the queue, nor {"build": ID} or {"continue": ID}. Start builds with npx polyseek remote build.',
  );
}

function sourceOf(body: string): string {
  const parsed = parseJson(body);
  return v.is(message, parsed) ? parsed.source : '';
}
