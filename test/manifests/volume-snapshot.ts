/* Of the snapshot controller, snapshot.storage.k8s.io/v1: what is used of it, as it comes in no package. */

export interface IVolumeSnapshotClass {
  apiVersion: 'snapshot.storage.k8s.io/v1';
  kind: 'VolumeSnapshotClass';
  metadata: { name: string; labels?: Record<string, string> };
  driver: string;
  parameters?: Record<string, string>;
  deletionPolicy: 'Delete' | 'Retain';
}

export interface IVolumeSnapshot {
  apiVersion: 'snapshot.storage.k8s.io/v1';
  kind: 'VolumeSnapshot';
  metadata: { name: string } | { generateName: string; labels?: Record<string, string> };
  spec: {
    volumeSnapshotClassName: string;
    source: { persistentVolumeClaimName: string };
  };
}
