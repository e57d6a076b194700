import { ComponentRunner, RestartIntensity, type ComponentSpec, type ProcessHandle, type ProcessRecord } from '../supervisor/index.ts';
import type { SupervisionPorts, SupervisionSettings } from './supervision-ports.ts';

/** The components of one service: what runs each, and how often each may still be started again. */
export class SupervisedComponents {
  readonly runners = new Map<string, ComponentRunner>();
  private readonly ports: SupervisionPorts;
  private readonly settings: SupervisionSettings;
  private readonly intensity = new Map<string, RestartIntensity>();

  constructor(ports: SupervisionPorts, settings: SupervisionSettings) {
    this.ports = ports;
    this.settings = settings;
    for (const spec of settings.components) {
      if (spec.kind === 'process') this.runners.set(spec.name, new ComponentRunner(spec, ports));
      this.intensity.set(spec.name, new RestartIntensity(spec.restart));
    }
  }

  spec(name: string): ComponentSpec {
    const found = this.settings.components.find((c) => c.name === name);
    if (!found) throw new TypeError(`no component ${name}`);
    return found;
  }

  runner(name: string): ComponentRunner {
    const runner = this.runners.get(name);
    if (!runner) throw new TypeError(`${name} is not a process`);
    return runner;
  }

  intensityOf(name: string): RestartIntensity {
    const intensity = this.intensity.get(name);
    if (!intensity) throw new TypeError(`no component ${name}`);
    return intensity;
  }

  /** Stored at once: a Grace that comes after this one finds it by that. */
  async remember(spec: ComponentSpec, handle: ProcessHandle, specHash: string): Promise<void> {
    const entry: ProcessRecord = {
      component: spec.name,
      identity: handle.identity,
      specHash,
      launchedAtMs: handle.launchedAtMs,
      logOffset: handle.logOffset,
      uid: null,
    };
    await this.ports.processes.save(entry);
  }
}
