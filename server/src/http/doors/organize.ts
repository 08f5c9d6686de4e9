// The doors of organizers: events are made and changed, their sale is opened and closed, tickets are set aside, and all
// of it can be looked up.

import { EVENT_COMMANDS, type EventCommand } from '@floodgate/core/event/rules.ts';
import {
  allocateAnswers,
  allocationInput,
  changeEventAnswers,
  commandEventAnswers,
  createEventAnswers,
  eventCommandInput,
  eventPatchInput,
  listAllocationsAnswers,
  listChangesAnswers,
  newEventInput,
  releaseAllocationAnswers,
  releaseInput,
} from '../../contract/organizing.ts';
import { eventPageInput, eventReference, isoTime } from '../../contract/values.ts';
import { staffName } from '../../sales/access/who.ts';
import {
  type AllocationChange,
  allocate,
  listAllocations,
  releaseAllocation,
} from '../../sales/organizing/allocations.ts';
import type { Asked, StaffRefusal } from '../../sales/organizing/change-event.ts';
import { listChanges } from '../../sales/organizing/changes.ts';
import type { EventView } from '../../sales/organizing/create-event.ts';
import { commandEvent, makeEvent, patchEvent } from '../../sales/organizing/organize.ts';
import type { Shop } from '../../sales/shop.ts';
import type { Answer } from '../lane/answer.ts';
import { type DoorRequest, type Operation, operation } from '../lane/operation.ts';
import { nextCursor, readCursor, refuseCursor } from '../lane/page.ts';
import { invalidInput, problem } from '../lane/problem.ts';
import { refused } from '../lane/refused.ts';
import { eventAnswer, logFields, versionTag } from './event-body.ts';

const COMMAND_SUMMARIES: Readonly<Record<EventCommand, string>> = {
  schedule: 'Show a draft, to be sold from its time on',
  open: 'Open the sale',
  pause: 'Pause the sale',
  resume: 'Go on with a paused sale',
  close: 'End the sale',
  cancel: 'Cancel an event',
};

/** Two hundred ticket types with their descriptions. */
const MAX_EVENT_BYTES = 2 * 1_048_576;

export function organizerOperations(shop: Shop): Operation[] {
  return [
    operation({
      name: 'create-event',
      summary: 'Make an event',
      tag: 'Organizing',
      method: 'POST',
      path: '/api/v1/events',
      isStaff: true,
      maxBodyBytes: MAX_EVENT_BYTES,
      input: newEventInput,
      answers: createEventAnswers,
      sends: ['ETag', 'Location'],
      async run(request) {
        const made = await makeEvent(shop, request.input.body, staffName(request.actor));
        return eventChanged(201, made, request);
      },
    }),
    operation({
      name: 'change-event',
      summary: 'Change an event',
      tag: 'Organizing',
      method: 'PATCH',
      path: '/api/v1/events/:eventId',
      isStaff: true,
      maxBodyBytes: MAX_EVENT_BYTES,
      input: eventPatchInput,
      answers: changeEventAnswers,
      sends: ['ETag'],
      async run(request) {
        const condition = preconditionOf(request, 'required');
        if ('status' in condition) return condition;
        return eventChanged(
          200,
          await patchEvent(shop, request.input.params.eventId, request.input.body, condition),
          request,
        );
      },
    }),
    ...EVENT_COMMANDS.map((command) =>
      operation({
        name: `${command}-event`,
        summary: COMMAND_SUMMARIES[command],
        tag: 'Organizing',
        method: 'POST',
        path: `/api/v1/events/:eventId/${command}`,
        isStaff: true,
        input: eventCommandInput,
        answers: commandEventAnswers,
        sends: ['ETag'],
        async run(request) {
          const condition = preconditionOf(request, 'optional');
          if ('status' in condition) return condition;
          return eventChanged(
            200,
            await commandEvent(shop, request.input.params.eventId, command, condition),
            request,
          );
        },
      }),
    ),
    ...allocationOperations(shop),
    operation({
      name: 'list-changes',
      summary: 'List the changes of an event',
      tag: 'Organizing',
      method: 'GET',
      path: '/api/v1/events/:eventId/changes',
      isStaff: true,
      input: eventPageInput,
      answers: listChangesAnswers,
      async run({ input, requestId }) {
        const { cursor, limit } = input.query;
        const from = readCursor(cursor);
        if (from === undefined) return refuseCursor(requestId);
        const page = await listChanges(shop, input.params.eventId, from === 0 ? undefined : from, limit);
        if ('refusal' in page) return problem(page.refusal, requestId);
        const changes = page.changes.map(({ atMs, ...change }) => ({ ...change, at: isoTime(atMs) }));
        return { kind: 'json', status: 200, body: { changes, ...nextCursor(limit, limit, page.next) } };
      },
    }),
  ];
}

function allocationOperations(shop: Shop): Operation[] {
  const path = '/api/v1/events/:eventId/allocations';
  return [
    operation({
      name: 'allocate',
      summary: 'Set tickets of an event aside',
      tag: 'Organizing',
      method: 'POST',
      path,
      isStaff: true,
      maxBodyBytes: MAX_EVENT_BYTES,
      input: allocationInput,
      answers: allocateAnswers,
      sends: ['ETag'],
      async run(request) {
        const condition = preconditionOf(request, 'optional');
        if ('status' in condition) return condition;
        const { params, body } = request.input;
        return allocationChanged(201, await allocate(shop, params.eventId, body, condition), request);
      },
    }),
    operation({
      name: 'list-allocations',
      summary: 'List what is set aside of an event',
      tag: 'Organizing',
      method: 'GET',
      path,
      isStaff: true,
      input: eventReference,
      answers: listAllocationsAnswers,
      async run({ input, requestId }) {
        const allocations = await listAllocations(shop, input.params.eventId);
        return 'refusal' in allocations
          ? problem(allocations.refusal, requestId)
          : { kind: 'json', status: 200, body: { allocations } };
      },
    }),
    operation({
      name: 'release-allocation',
      summary: 'Put set aside tickets back on sale',
      tag: 'Organizing',
      method: 'POST',
      path: `${path}/:allocationId/release`,
      isStaff: true,
      maxBodyBytes: MAX_EVENT_BYTES,
      input: releaseInput,
      answers: releaseAllocationAnswers,
      sends: ['ETag'],
      async run(request) {
        const condition = preconditionOf(request, 'optional');
        if ('status' in condition) return condition;
        const { params, body } = request.input;
        const released = await releaseAllocation(shop, params.eventId, params.allocationId, body, condition);
        return allocationChanged(200, released, request);
      },
    }),
  ];
}

function eventChanged(status: number, view: EventView | StaffRefusal, request: DoorRequest<unknown>): Answer {
  if (!('event' in view)) return refuseStaff(view, request.requestId);
  const location = status === 201 ? { Location: `/api/v1/events/${view.event.eventId}` } : {};
  const answer = eventAnswer(status, view, request);
  return {
    ...answer,
    headers: { ...answer.headers, ...location },
    result: 'granted',
    fields: logFields(view),
  };
}

function allocationChanged(
  status: number,
  changed: AllocationChange | StaffRefusal,
  { requestId }: DoorRequest<unknown>,
): Answer {
  if (!('allocation' in changed)) return refuseStaff(changed, requestId);
  const { allocation, version } = changed;
  const { allocationId, kind, quantity } = allocation;
  const fields = { allocationId, kind, quantity, version };
  return {
    kind: 'json',
    status,
    body: allocation,
    headers: { ETag: versionTag(version) },
    result: 'granted',
    fields,
  };
}

function refuseStaff(refusal: StaffRefusal, requestId: string): Answer {
  if ('problems' in refusal) {
    const faults = Object.entries(refusal.problems).map(
      ([path, sentence]) => [`body.${path}`, sentence] as const,
    );
    return invalidInput(faults, requestId);
  }
  const { detail } = refusal;
  return detail === undefined ? refused(refusal, requestId) : problem(refusal.refusal, requestId, { detail });
}

const TAGS = /^(?:W\/)?"(\d{1,15})"$/;

/** Who asks, for which versions of the event; or the answer when If-Match is missing or names no version. */
function preconditionOf(request: DoorRequest<unknown>, ifMatch: 'required' | 'optional'): Asked | Answer {
  const by = staffName(request.actor);
  const header = request.header('if-match');
  if (header === undefined) {
    return ifMatch === 'required' ? problem('PRECONDITION_REQUIRED', request.requestId) : { by };
  }
  if (header.trim() === '*') return { by };
  const versions = header.split(',').map((tag) => TAGS.exec(tag.trim())?.[1]);
  // A tag that no version of ours has matches none.
  return { by, ifVersions: versions.map((version) => (version === undefined ? 0 : Number(version))) };
}
