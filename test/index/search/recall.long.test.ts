import { test } from 'vitest';
import { expectRecall } from './recall.ts';

test('recall@10 of ranking with the graph is at least .99 over 20,000 vectors', () => expectRecall(20_000));
