import { Argument, type Command } from 'commander';
import { Tool } from './kit/command.ts';
import { bashScript, describeCommands, fishScript, zshScript } from './kit/completion.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export const command = new Tool(
  'completion',
  'Print a script that completes commands, flags and their values in a shell. Save it in a file that the shell reads at its start.',
)
  .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
  .examples(
    'npx polyseek completion bash > ~/.polyseek.bash && echo ". ~/.polyseek.bash" >> ~/.bashrc',
    'npx polyseek completion zsh > ~/.polyseek.zsh && echo ". ~/.polyseek.zsh" >> ~/.zshrc',
    'npx polyseek completion fish > ~/.config/fish/conf.d/polyseek.fish',
  )
  .action((shell: keyof typeof SCRIPTS, _: object, command: Command) => {
    console.log(SCRIPTS[shell](describeCommands(command.parent!)));
  });
