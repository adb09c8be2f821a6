import { testDamage } from '../../fixtures/damage.ts';
import { defaultModel } from '../../fixtures/index.ts';

// `DAMAGE=1000 npx vitest run test/index/format/damage.long.test.ts` makes a longer run.
const { DAMAGE } = process.env;
testDamage(defaultModel(), { flips: Number(DAMAGE ?? 150), cuts: Number(DAMAGE ?? 50) });
