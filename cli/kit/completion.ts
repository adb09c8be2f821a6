import type { Command } from 'commander';

/** What completes a value: these words, folders, files and folders, or nothing. */
type Values = readonly string[] | 'folder' | 'path' | 'none';

interface Flag {
  /** Such as `--index` and `-k`. */
  names: string[];
  does: string;
  /** Undefined for a flag without a value. */
  values: Values | undefined;
}

/** A command, as the scripts describe it to a shell. */
export interface Described {
  name: string;
  does: string;
  flags: Flag[];
  /** What completes its arguments. */
  values: Values;
}

/** The commands of a program, read from their own definitions. */
export function describeCommands(program: Command): Described[] {
  const commands = program.commands.map((command): Described => {
    const [argument] = command.registeredArguments;
    return {
      name: command.name(),
      does: oneLine(command.summary()),
      flags: command
        .createHelp()
        .visibleOptions(command)
        .map((option) => ({
          names: [option.short, option.long].filter((name) => name !== undefined && name !== null),
          does: oneLine(option.description),
          values:
            option.required || option.optional
              ? valuesOf(option.flags.match(/[<[]([\w-]+)/)?.[1], option.argChoices)
              : undefined,
        })),
      values: valuesOf(argument?.name(), argument?.argChoices),
    };
  });
  const names = commands.map(({ name }) => name);
  return [...commands, { name: 'help', does: 'print help for a command', flags: [], values: names }];
}

function valuesOf(placeholder = '', choices?: readonly string[]): Values {
  if (choices) return choices;
  if (/^(dir|set)$/.test(placeholder)) return 'folder';
  return /^(file|path|docs-path|source)$/.test(placeholder) ? 'path' : 'none';
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ');

const FLAGS_OF_ALL = ['--help', '--version', '--no-color'];

/** A script for bash. It also runs in the bash 3.2 of macOS, which completes paths where there is nothing to complete. */
export function bashScript(commands: Described[]): string {
  const flags = commands.map(({ name, flags }) => [name, flags.flatMap(({ names }) => names).join(' ')]);
  const flagValues = commands.flatMap(({ name, flags }) =>
    flags.flatMap(({ names, values }) => names.map((flag) => ({ pattern: `'${name} ${flag}'`, values }))),
  );
  const values = [...flagValues, ...commands.map(({ name, values }) => ({ pattern: `'${name} '*`, values }))];
  const cases = values.flatMap(({ pattern, values }) =>
    values === undefined ? [] : [`    ${pattern}) ${bashValues(values)} ;;`],
  );
  return `# Completes polyseek, and npx polyseek, in bash.
_polyseek() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at=1 flags=
  if [[ \${COMP_WORDS[0]} == npx ]]; then
    [[ $COMP_CWORD -gt 1 && \${COMP_WORDS[1]} == polyseek ]] || return 0
    at=2
  fi
  # bash splits --flag=value at the equals sign.
  if [[ $current == = ]]; then current=; fi
  if [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  local command=\${COMP_WORDS[at]}
  if [[ $COMP_CWORD -eq $at ]]; then
    COMPREPLY=($(compgen -W '${[...commands.map(({ name }) => name), ...FLAGS_OF_ALL].join(' ')}' -- "$current"))
    return 0
  fi
  if [[ $current == -* ]]; then
    case $command in
${flags.map(([name, all]) => `      ${name}) flags='${all}' ;;`).join('\n')}
    esac
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
    return 0
  fi
  # Without a reply, bash completes a path.
  case "$command $previous" in
${cases.join('\n')}
  esac
}
complete -o default -F _polyseek polyseek
complete -p npx >/dev/null 2>&1 || complete -o default -F _polyseek npx`;
}

function bashValues(values: Values): string {
  if (values === 'none') return 'compopt +o default 2>/dev/null';
  if (values === 'path') return ':';
  if (values === 'folder') return 'compopt -o dirnames +o default 2>/dev/null';
  return `COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$current"))`;
}

/** A script for zsh. */
export function zshScript(commands: Described[]): string {
  const cases = commands.map(({ name, flags, values }) => {
    const specs = flags.flatMap(({ names, does, values }) =>
      names.map((flag) => quoted(`*${flag}[${zshText(does)}]${values ? `:value:${zshValues(values)}` : ''}`)),
    );
    // An argument that nothing completes would keep zsh from completing flags in its place.
    const argument = values === 'none' ? [] : [quoted(`*:argument:${zshValues(values)}`)];
    return `    ${name}) _arguments ${[...specs, ...argument].join(' ')} ;;`;
  });
  return `#compdef polyseek
# Completes polyseek, and npx polyseek, in zsh.
_polyseek() {
  if [[ $words[1] == npx ]]; then
    if [[ $words[2] != polyseek || $CURRENT -lt 3 ]]; then _default; return; fi
    shift words
    (( CURRENT-- ))
  fi
  if (( CURRENT == 2 )); then
    local -a commands=(${commands.map(({ name, does }) => quoted(`${name}:${does}`)).join(' ')})
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _polyseek ]]; then
  _polyseek "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _polyseek polyseek
  (( $+_comps[npx] )) || compdef _polyseek npx
fi`;
}

function zshValues(values: Values): string {
  if (values === 'none') return ' ';
  if (values === 'path') return '_files';
  if (values === 'folder') return '_files -/';
  return `(${values.join(' ')})`;
}

const zshText = (text: string) => text.replace(/[[\]:\\]/g, '\\$&');
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** A script for fish. */
export function fishScript(commands: Described[]): string {
  const lines = commands.flatMap(({ name, does, flags, values }) => {
    const condition = `-n '__polyseek_command ${name}'`;
    const all = flags.map(({ names, does, values }) => {
      const spelled = names.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      return `${condition} ${spelled.join(' ')}${values ? ` ${fishValues(values)}` : ''} -d ${fishText(does)}`;
    });
    const own = values === 'path' ? [] : [`${condition} ${fishValues(values).replace('-x', '-f')}`];
    return [`-f -n __polyseek_command -a ${name} -d ${fishText(does)}`, ...own, ...all];
  });
  return `# Completes polyseek, and npx polyseek, in fish.
function __polyseek_command -d 'Whether the command is the argument; without one, whether there is none yet'
    set -l words (commandline -opc)
    test "$words[1]" = npx; and set -e words[1]
    string match -qr '(^|/)polyseek$' -- "$words[1]"; or return 1
    test "$words[2]" = "$argv[1]"
end
for program in polyseek npx
${lines.map((line) => `    complete -c $program ${line}`).join('\n')}
end`;
}

function fishValues(values: Values): string {
  if (values === 'none') return '-x';
  if (values === 'path') return '-r -F';
  if (values === 'folder') return "-x -a '(__fish_complete_directories)'";
  return `-x -a '${values.join(' ')}'`;
}

const fishText = (text: string) => `'${text.replace(/['\\]/g, '\\$&')}'`;
