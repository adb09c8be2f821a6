import type { App } from './http.ts';
import { splitPath } from './paths.ts';
import { Problem } from './problems.ts';
import { readBody } from './requests.ts';
import { askIndex, failing } from './with-contracts.ts';

/** Environment variables with the secrets of chats: `SLACK_SIGNING_SECRET`, `SLACK_BOT_TOKEN` and `TEAMS_SECRET`. */
export type ChatSecrets = Readonly<Record<string, string | undefined>>;

/** Makes an app that also answers the chats whose secret is set. Without one, it loads nothing. */
export function withChats(app: App, secrets: ChatSecrets = {}): App {
  if (!(secrets.SLACK_SIGNING_SECRET || secrets.TEAMS_SECRET)) return app;
  return async (request) => {
    const { answerChat } = await import('./contracts/chats.ts');
    return answerChat(request, secrets, { app, askIndex, failing, Problem, readBody, splitPath });
  };
}
