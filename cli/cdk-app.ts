import { Tool } from './kit/command.ts';
export const command = new Tool('cdk-app').examples('npx polyseek cdk-app');
