import type { HttpAnswer } from '../http/request.ts'
import { setCookie } from './cookies.ts'
import { formFields } from './forms.ts'
import { markup } from './markup.ts'
import { page } from './page.ts'
import { signInPage } from './sign-in-page.ts'
import type { Visit } from './visit.ts'

/** `/ui/`: who has signed in here, and the way out. */
export const showHome = async (visit: Visit): Promise<HttpAnswer> => {
  const { signedIn } = visit
  if (signedIn === undefined) {
    return signInPage(visit, {
      destination: { kind: 'home', path: '/ui/' },
      application: undefined,
    })
  }
  const { record, subject } = signedIn
  const since = `${new Date(record.startedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return page({
    title: 'Signed in',
    cookie: visit.browserCookie,
    body: markup`<h1>You are signed in</h1>
      <dl>
        <dt>User name</dt>
        <dd><bdi>${record.username}</bdi></dd>
        <dt>Sign-in method</dt>
        <dd><bdi>${record.mount}</bdi></dd>
        ${
          subject !== undefined &&
          markup`<dt>Identity</dt>
            <dd><bdi>${subject.name}</bdi><br /><code class="soft">${subject.id}</code></dd>`
        }
        <dt>Since</dt>
        <dd><time datetime="${new Date(record.startedAt).toISOString()}">${since}</time></dd>
      </dl>
      <form method="post" action="/ui/sign-out">
        ${formFields(visit, 'sign-out', { path: '/ui/' })}
        <button type="submit">Sign out</button>
      </form>`,
  })
}

/** POST `/ui/sign-out`: ends the session and its token. */
export const signOut = async (visit: Visit): Promise<HttpAnswer> => {
  const { server, scope, signedIn, secure } = visit
  if (signedIn !== undefined) {
    // So that the audit log tells of it; where a policy forbids it, the session's own end does it.
    await visit.ask({
      operation: 'update',
      path: 'auth/token/revoke-self',
      token: signedIn.record.token,
      data: undefined,
    })
    await server.sessions.endByKey(scope, signedIn.key)
  }
  return page({
    title: 'Signed out',
    cookie: setCookie('session', '', secure),
    body: markup`<h1>You are signed out</h1>
      <p role="status">Applications that you signed in to may have sessions of their own.</p>
      <p><a href="/ui/">Sign in again</a></p>`,
  })
}
