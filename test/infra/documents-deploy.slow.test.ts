import { testLifeCycle } from './documents-life-cycle.ts';

testLifeCycle(['own']);
