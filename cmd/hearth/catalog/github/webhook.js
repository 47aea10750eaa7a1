// A feed: makes a repository's webhook fire the trigger, and removes it again.
async function main(params) {
  const { lifecycleEvent, username, repository, accessToken, events, triggerName, authKey } = params;
  const missing = ['username', 'repository', 'accessToken', 'triggerName', 'authKey'].filter((name) => !params[name]);
  if (missing.length > 0) {
    return { error: `Parameters are missing: ${missing.join(', ')}.` };
  }
  const endpoint = params.endpoint || 'https://api.github.com';
  const slug = repository.includes('/') ? repository : `${username}/${repository}`;
  const hooks = new URL(`/repos/${slug}/hooks`, endpoint.includes('://') ? endpoint : `https://${endpoint}`);
  const trigger = triggerURL(triggerName, authKey, params.apihost);
  const call = caller(username, accessToken);
  switch (lifecycleEvent) {
    case 'CREATE': {
      if (!events) return { error: 'Parameters are missing: events.' };
      const list = Array.isArray(events) ? events : String(events).split(',').map((event) => event.trim());
      const hook = await call('POST', hooks, {
        name: 'web', active: true, events: list, config: { url: trigger.href, content_type: 'json' },
      });
      return { id: hook.id, events: hook.events };
    }
    case 'DELETE': {
      const hook = await find(call, hooks, trigger);
      if (!hook) return { message: 'There was no such webhook.' };
      await call('DELETE', new URL(`${hooks.pathname}/${hook.id}`, hooks));
      return { id: hook.id };
    }
    case 'READ': {
      const hook = await find(call, hooks, trigger);
      if (!hook) return { error: 'There is no such webhook.' };
      return { config: { repository: slug, events: hook.events }, status: { active: hook.active, dateChanged: Date.parse(hook.updated_at) } };
    }
  }
  return { error: 'lifecycleEvent must be CREATE, READ or DELETE.' };
}

// triggerURL returns where GitHub fires the trigger, with the key of its owner.
function triggerURL(triggerName, authKey, apihost) {
  const [namespace, name] = triggerName.replace(/^\//, '').split('/');
  const host = apihost || process.env.__OW_API_HOST;
  const url = new URL((host.includes('://') ? host : `https://${host}`));
  url.pathname = `/api/v1/namespaces/${encodeURIComponent(namespace)}/triggers/${encodeURIComponent(name)}`;
  [url.username, url.password] = authKey.split(':');
  return url;
}

// caller returns a function that makes one call of GitHub's API.
function caller(username, accessToken) {
  const headers = {
    Accept: 'application/vnd.github+json',
    Authorization: 'Basic ' + Buffer.from(`${username}:${accessToken}`).toString('base64'),
    'User-Agent': 'hearth-whisk.system-github',
  };
  return async (method, url, body) => {
    const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    const answer = text === '' ? {} : JSON.parse(text);
    if (!response.ok) {
      throw { error: `GitHub answered ${response.status}: ${answer.message || text.slice(0, 500)}` };
    }
    return answer;
  };
}

// find returns the webhook that fires the trigger; GitHub hides keys in URLs.
async function find(call, hooks, trigger) {
  for (let page = 1; page <= 20; page++) {
    const url = new URL(hooks);
    url.search = `per_page=100&page=${page}`;
    const list = await call('GET', url);
    for (const hook of list) {
      const there = URL.canParse(hook.config.url) && new URL(hook.config.url);
      if (there && there.host === trigger.host && there.pathname === trigger.pathname) return hook;
    }
    if (list.length < 100) return undefined;
  }
  return undefined;
}
