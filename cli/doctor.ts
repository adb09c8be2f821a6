import { Tool } from './kit/command.ts';
export const command = new Tool('doctor').examples('npx polyseek doctor');
