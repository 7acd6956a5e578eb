import assert from 'node:assert/strict'
import { test } from 'node:test'

import { rsyncOptions } from './rsync-options.ts'
import { remoteFolder, remotePlace, sshCommand } from './rsync-ssh.ts'

const least = { host: 'backup.example.org', folder: '/srv/archives' }

test('a host and a folder are enough, and every option is taken', () => {
  assert.deepEqual(rsyncOptions.parse(least), least)
  const all = {
    ...least,
    user: 'notes',
    port: 2222,
    ssh_key_file: "/etc/the admin's keys/key",
    known_hosts_file: '/etc/known hosts',
    rsync_path: '/opt/bin/rsync',
  }
  assert.deepEqual(rsyncOptions.parse(all), all)
})

test('what a shell, ssh or rsync would read as something else is refused', () => {
  for (const wrong of [
    { folder: '/a' },
    { host: 'a' },
    { ...least, host: '-oProxyCommand=x' },
    { ...least, host: 'user@host' },
    { ...least, host: 'host/../x' },
    { ...least, host: 'a b' },
    { ...least, user: '-l' },
    { ...least, user: 'a@b' },
    { ...least, folder: '' },
    { ...least, folder: '-rf' },
    { ...least, folder: ':module/x' },
    { ...least, folder: '/srv/$(id)' },
    { ...least, folder: '/srv/a b' },
    { ...least, folder: '~/archives' },
    { ...least, folder: '/srv/*' },
    { ...least, ssh_key_file: '/a"b' },
    { ...least, ssh_key_file: '/a%h' },
    { ...least, known_hosts_file: '/a\nb' },
    { ...least, rsync_path: 'rsync; id' },
    { ...least, port: 0 },
    { ...least, password: 'x' },
  ]) {
    assert.equal(rsyncOptions.safeParse(wrong).success, false, JSON.stringify(wrong))
  }
})

test('ssh asks nobody, and trusts only a host that it knows', () => {
  const command = sshCommand({
    ...least,
    port: 2222,
    ssh_key_file: "/the admin's/key",
    known_hosts_file: '/k',
  })
  for (const word of [
    '-o BatchMode=yes',
    '-o StrictHostKeyChecking=yes',
    '-o IdentitiesOnly=yes',
    '-p 2222',
  ]) {
    assert.ok(command.includes(word), command)
  }
  assert.ok(command.includes("-i '/the admin''s/key'"), command)
  assert.ok(command.includes(`-o 'UserKnownHostsFile="/k"' -o GlobalKnownHostsFile=/dev/null`), command)
  assert.ok(!sshCommand(least).includes('UserKnownHostsFile'))
})

test('the folder is named for rsync so that it makes none, and for people as they write it', () => {
  assert.equal(remoteFolder(least), 'backup.example.org:/srv/archives/.')
  assert.equal(
    remoteFolder({ ...least, user: 'notes', folder: 'archives//' }),
    'notes@backup.example.org:archives/.',
  )
  assert.equal(remoteFolder({ ...least, folder: '/' }), 'backup.example.org:/.')
  assert.equal(remoteFolder({ ...least, folder: '.' }), 'backup.example.org:./.')
  assert.equal(remoteFolder({ ...least, host: 'fe80::1' }), '[fe80::1]:/srv/archives/.')
  assert.equal(
    remotePlace({ ...least, user: 'notes', port: 2222 }),
    'notes@backup.example.org:/srv/archives (port 2222)',
  )
})
