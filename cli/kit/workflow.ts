/** The program of the project. Without `--no-install`, npx would offer to run the package of this name in the registry, whoever owns it. */
export const PROGRAM = 'npx --no-install polyseek';

/** Actions of the workflow, by commit. `.github/workflows/ci.yml` uses the same first two. */
const ACTIONS = {
  checkout: 'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0',
  setupNode: 'actions/setup-node@a0853c24544627f65ddf259abe73b1d18a591444 # v5.0.0',
  cache: 'actions/cache@cdf6c1fa76f9f475f3d7449005a359c84ca0f306 # v5.0.3',
};

/**
 * A GitHub Actions workflow that builds the index and makes it live.
 * @param paths what it depends on, as patterns of GitHub; without them, it runs on every push
 */
export function workflow(paths: readonly string[] | undefined): string {
  const filter = paths ? `\n    paths: [${paths.map((path) => JSON.stringify(path)).join(', ')}]` : '';
  return `# Builds the index and makes it live when the documents change. polyseek init wrote this file. You may edit it.
#
# It needs two variables of the repository (Settings, Secrets and variables, Actions, Variables), and no secret:
#   POLYSEEK_ROLE  output PushRole of the stack, after a deploy with "githubRepository" in cdk.json. Its value is what this
#                  command prints after repo: gh api repos/OWNER/NAME/actions/oidc/customization/sub --jq .sub_claim_prefix
#   AWS_REGION     region of the deployed function, such as eu-central-1
name: polyseek

on:
  push:
    branches: [main]${filter}
  workflow_dispatch:

permissions:
  contents: read
  id-token: write

concurrency: polyseek

jobs:
  push:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    steps:
      - uses: ${ACTIONS.checkout}
        with:
          persist-credentials: false
      - uses: ${ACTIONS.setupNode}
        with:
          node-version: 22
          cache: npm
      - run: npm ci
      # Each build saves its cache under a new key, and reads the newest one.
      - uses: ${ACTIONS.cache}
        with:
          path: .polyseek/cache
          key: polyseek-\${{ github.run_id }}-\${{ github.run_attempt }}
          restore-keys: polyseek-
      - name: Build the index
        # Exit code 4: the index was built, but some files failed. The log lists them.
        run: ${PROGRAM} index || [ $? -eq 4 ]
      # Last, as the token is valid for minutes. The AWS SDK exchanges it for credentials.
      - name: Get an OIDC token
        env:
          ROLE: \${{ vars.POLYSEEK_ROLE }}
          REGION: \${{ vars.AWS_REGION }}
        run: |
          if [ -z "$ROLE" ] || [ -z "$REGION" ]; then
            echo "::error::Set the variables POLYSEEK_ROLE and AWS_REGION of this repository."
            exit 1
          fi
          umask 077
          curl --silent --show-error --fail --retry 3 --header "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" --output "$RUNNER_TEMP/oidc.json"
          # The SDK sends the file as it is, so that it must not end with a line feed.
          node --eval 'process.stdout.write(require(process.env.RUNNER_TEMP + "/oidc.json").value)' > "$RUNNER_TEMP/oidc.jwt"
          {
            echo "AWS_WEB_IDENTITY_TOKEN_FILE=$RUNNER_TEMP/oidc.jwt"
            echo "AWS_ROLE_ARN=$ROLE"
            echo "AWS_ROLE_SESSION_NAME=polyseek-$GITHUB_RUN_ID"
            echo "AWS_REGION=$REGION"
          } >> "$GITHUB_ENV"
      - name: Make the index live
        run: ${PROGRAM} push
`;
}
