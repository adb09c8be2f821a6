import { Tool } from './kit/command.ts';
export const command = new Tool('init').examples('npx polyseek init');
