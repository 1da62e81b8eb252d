import { Module } from '@nestjs/common';
import { CelController } from './cel.controller.js';
import { PbxNodesController } from './pbx-nodes.controller.js';
import { PbxNodesService } from './pbx-nodes.service.js';

@Module({ controllers: [PbxNodesController, CelController], providers: [PbxNodesService] })
export class PbxNodesModule {}
