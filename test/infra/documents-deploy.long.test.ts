import { STACKS, testLifeCycle } from './documents-life-cycle.ts';

testLifeCycle(Object.keys(STACKS));
