import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { commandTable } from './command-table.ts'
import { data, nothing, refused, runAgainst } from './fake-api.ts'

describe('the command line', () => {
  it('ends with 127 and the usage for no command, an unknown one and a group alone', async () => {
    for (const words of [[], ['frobnicate'], ['policy'], ['kv', 'metadata'], ['policy', 'frob']]) {
      const { code, stderr, stdout, requests } = await runAgainst(words)
      assert.equal(code, 127, words.join(' '))
      assert.match(stderr, /Usage: signet /)
      assert.equal(stdout, '')
      assert.equal(requests.length, 0)
    }
  })

  it('prints help on standard output with exit code 0 when asked for', async () => {
    for (const words of [['-h'], ['policy', '--help'], ['read', '-h'], ['kv', 'get', '-help']]) {
      const { code, stdout } = await runAgainst(words)
      assert.equal(code, 0)
      assert.match(stdout, /^Usage: signet/)
    }
  })

  it('loads every command of its table', async () => {
    for (const entry of commandTable) {
      const command = await entry.load()
      assert.equal(typeof command.run, 'function', entry.name)
      assert.ok(command.help.endsWith('.'), entry.name)
    }
  })

  it('refuses wrong numbers of arguments, unknown flags and formats with exit code 1', async () => {
    const cases: [string[], string][] = [
      [['read'], 'Not enough arguments (expected 1, got 0)\n'],
      [['list', 'a', 'b'], 'Too many arguments (expected 1, got 2)\n'],
      [['read', '-nope', 'x'], 'flag provided but not defined: -nope\n'],
      [['read', '-format=xml', 'x'], 'Invalid output format: xml\n'],
      [['read', '-format=pretty', 'x'], 'Invalid output format: pretty\n'],
      [['read', '-format=constructor', 'x'], 'Invalid output format: constructor\n'],
      [
        ['list', '-format=raw', 'x'],
        'This command does not support the -format=raw option; only `vault read` does.\n',
      ],
      [['write', 'secret/x'], 'Must supply data or use -force\n'],
      [
        ['write', 'secret/x', 'nope'],
        'Failed to parse K=V data: invalid key/value pair "nope": format must be key=value\n',
      ],
    ]
    for (const [words, said] of cases) {
      const { code, stderr, requests } = await runAgainst(words)
      assert.deepEqual([code, stderr, requests.length], [1, said, 0])
    }
  })

  it('takes global flags anywhere, its own only before the arguments', async () => {
    const answer = () => data({ keys: ['a'] })
    const late = await runAgainst(['list', 'x', '-format=json', '-limit=3'], { answer })
    assert.equal(late.code, 1)
    const before = await runAgainst(['-format=json', 'list', 'x'], { answer })
    assert.equal(before.stdout, '[\n  "a"\n]\n')
    const write = await runAgainst(['write', 'x', 'a=1', '-force'], { answer: () => nothing })
    assert.match(
      write.stderr,
      /^Command flags must be provided before positional arguments\. .*\[-force\]\n/,
    )
    assert.equal(write.code, 1)
  })

  it('sends token, namespace, wrapping and extra headers, and never X-Vault ones of the user', async () => {
    const { requests } = await runAgainst(
      ['read', '-ns=team', '-namespace=other', '-wrap-ttl=60s', '-header', 'X-A=1', 'secret/x'],
      { answer: () => data({ a: 1 }) },
    )
    const headers = requests[0]?.headers ?? {}
    assert.equal(headers['x-vault-token'], 'tok')
    assert.equal(headers['x-vault-namespace'], 'team')
    assert.equal(headers['x-vault-wrap-ttl'], '60s')
    assert.equal(headers['x-vault-request'], 'true')
    assert.equal(headers['x-a'], '1')
    const refusal = await runAgainst(['read', '-header=X-Vault-Token=x', 'secret/x'])
    assert.equal(refusal.code, 1)
    assert.match(refusal.stderr, /Header starting by 'X-Vault-' are for internal usage only/)
    assert.equal(refusal.requests.length, 0)
  })

  it('takes SIGNET_ before BAO_ before VAULT_, and flags before all of them', async () => {
    const answer = () => data({ a: 1 })
    const env = { VAULT_NAMESPACE: 'v', BAO_NAMESPACE: 'b', SIGNET_NAMESPACE: 's' }
    const signet = await runAgainst(['read', 'x'], { answer, env })
    assert.equal(signet.requests[0]?.headers['x-vault-namespace'], 's')
    const bao = await runAgainst(['read', 'x'], { answer, env: { ...env, SIGNET_NAMESPACE: '' } })
    assert.equal(bao.requests[0]?.headers['x-vault-namespace'], undefined)
    const flag = await runAgainst(['read', '-namespace=f', 'x'], { answer, env })
    assert.equal(flag.requests[0]?.headers['x-vault-namespace'], 'f')
  })

  it('shows an error of the API with method, URL, status and texts, and ends with 2', async () => {
    const { code, stderr, stdout, address } = await runAgainst(['read', 'secret/x'], {
      answer: () => refused(403, 'permission denied'),
    })
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.equal(
      stderr,
      `Error reading secret/x: Error making API request.\n\nURL: GET ${address}/v1/secret/x\nCode: 403. Errors:\n\n* permission denied\n`,
    )
  })

  it('shows an answer that is no JSON as it came, and the namespace', async () => {
    const { stderr } = await runAgainst(['read', '-ns=ns1', 'secret/x'], {
      answer: () => ({ status: 502, body: 'bad gateway' }),
    })
    assert.match(stderr, /Namespace: ns1\nURL: GET .*\nCode: 502\. Raw Message:\n\nbad gateway\n$/)
  })

  it('says what to do when there is no server, and that a server speaks http', async () => {
    const gone = await runAgainst(['read', '-address=https://127.0.0.1:1', 'x'])
    assert.equal(gone.code, 2)
    assert.match(
      gone.stderr,
      /No server at https:\/\/127\.0\.0\.1:1: connection refused.*npm start/,
    )
    const plain = await runAgainst(['read', 'x'], { misaddressed: true })
    assert.equal(plain.code, 2)
    assert.ok(plain.stderr.includes(`it speaks http: export VAULT_ADDR='${plain.address}'`))
  })

  it('prints a request as curl or as a policy instead of sending it', async () => {
    const curl = await runAgainst(['write', '-output-curl-string', 'secret/x', "a=it's"])
    assert.equal(curl.code, 0)
    assert.equal(curl.requests.length, 0)
    assert.equal(
      curl.stdout,
      `curl -X PUT -H "X-Vault-Request: true" -H "X-Vault-Token: $(signet print token)" -d '{"a":"it'"'"'s"}' "${curl.address}/v1/secret/x"\n`,
    )
    const list = await runAgainst(['list', '-output-policy', 'secret/'])
    assert.equal(list.stdout, 'path "secret" {\n  capabilities = ["list"]\n}\n')
    const sudo = await runAgainst(['audit', 'list', '-output-policy'])
    assert.equal(sudo.stdout, 'path "sys/audit" {\n  capabilities = ["read", "sudo"]\n}\n')
    const none = await runAgainst(['version', '-output-policy'])
    assert.deepEqual([none.code, none.stderr], [1, 'Unable to generate policy from command\n'])
  })
})
