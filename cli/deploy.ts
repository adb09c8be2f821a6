import { Tool } from './kit/command.ts';
export const command = new Tool('deploy').examples('npx polyseek deploy');
