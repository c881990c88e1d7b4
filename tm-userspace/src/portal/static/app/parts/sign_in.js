// @ts-check
// Signing in: by a token, or by user and password. As a page at first; over the page where a session ended in the middle of something.
import { html, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { linkFailed, signIn } from "../core/session.js";
import { Dialog } from "./dialog.js";
import { Field } from "./field.js";
import { Notice } from "./notice.js";

export function SignInPage() {
  return html`<main class="sign-in">
    <img src="/icon.svg" alt="" width="48" height="48" />
    <h1>Traffic Manager</h1>
    <${Fields} />
    <p class="faint">A token is made on the node itself: <code>tm token create --scope write --name me</code></p>
  </main>`;
}

export function SignInDialog() {
  return html`<${Dialog} title="Sign in again">
    <div class="body">
      <p>Your session has ended. What you typed is kept: sign in and go on.</p>
      <${Fields} />
    </div>
  <//>`;
}

function Fields() {
  const [by, setBy] = useState("user");
  const [typed, setTyped] = useState({ user: "", password: "", token: "" });
  const [error, setError] = useState(linkFailed.get());
  const [isBusy, setBusy] = useState(false);
  const type = (/** @type {string} */ key) => (/** @type {any} */ event) => setTyped({ ...typed, [key]: event.target.value });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await signIn(by === "token" ? { token: typed.token.trim() } : { user: typed.user, password: typed.password });
    } catch (thrown) {
      const problem = asProblem(thrown);
      setError(problem.status === 401 ? "That is not right. Try again." : problem.message);
      setBusy(false);
    }
  };
  const choice = (/** @type {string} */ value, /** @type {string} */ label) => html`<label>
    <input type="radio" name="by" value=${value} checked=${by === value} onChange=${() => setBy(value)} />${label}
  </label>`;
  return html`<form class="sign-in-form" onSubmit=${submit}>
    <fieldset class="segments"><legend class="hidden">Sign in with</legend>${choice("user", "User and password")}${choice("token", "Token")}</fieldset>
    ${error && html`<${Notice} tone="bad">${error}<//>`}
    ${by === "token"
      ? html`<${Field} key="token" label="Token"><input type="password" name="token" autocomplete="off" required value=${typed.token} onInput=${type("token")} /><//>`
      : html`<${Field} key="user" label="User"><input type="text" name="user" autocomplete="username" required value=${typed.user} onInput=${type("user")} /><//>
          <${Field} key="password" label="Password"><input type="password" name="password" autocomplete="current-password" required value=${typed.password} onInput=${type("password")} /><//>`}
    <button type="submit" class="primary" disabled=${isBusy}>Sign in</button>
  </form>`;
}
