export function report(answered: number, steps?: Record<string, number>): void;
