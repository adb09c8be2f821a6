// mcp.ts needs this module too: those that only one of both needs would be one more file to read at each cold start.
import '../truncate.ts';
import { bedrock } from './bedrock.ts';
import { continueDev } from './continue.ts';
import type { Contract } from './contract.ts';
import { dify } from './dify.ts';
import { openWebui } from './open-webui.ts';
import { openai } from './openai.ts';

export const contracts: readonly Contract[] = [openai, dify, openWebui, continueDev, bedrock];
