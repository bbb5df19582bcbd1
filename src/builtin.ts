import { approle } from './auth/approle/index.ts'
import { jwtEngines } from './auth/jwt/index.ts'
import type { Lockout } from './auth/shared/lockout.ts'
import { threadedBcrypt } from './auth/shared/hash-threads.ts'
import { createPasswords } from './auth/shared/password.ts'
import { userpass } from './auth/userpass/index.ts'
import type { CoreEngines, CorePorts } from './core/core.ts'
import type { Engine } from './engine/engine.ts'
import { cubbyholePort } from './engines/cubbyhole/contents.ts'
import { cubbyhole } from './engines/cubbyhole/index.ts'
import { kv } from './engines/kv/index.ts'
import { createTokenEngine } from './engines/token/index.ts'

/** The threads for passwords, shared by all servers of a process. */
const bcrypt = threadedBcrypt()

/** What a server can mount: one line an auth method or secrets engine. */
export const builtinEngines = (
  ports: CorePorts,
  identity: Engine,
  system: Engine,
  lockout: Lockout,
): CoreEngines => {
  return {
    cubbyhole: cubbyholePort,
    engines: [
      createTokenEngine(ports),
      userpass({ passwords: createPasswords({ bcrypt }), lockout }),
      approle({ lockout }),
      ...jwtEngines(),
      identity,
      system,
      kv(),
      cubbyhole(),
    ],
  }
}
